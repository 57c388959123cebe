import type * as Ethers from 'ethers';

/** On first use: loading takes a third of a second that a process without mints on such a chain need not spend. */
export function loadEthers(): typeof Ethers {
  const sdk: typeof Ethers = require('ethers');
  return sdk;
}
