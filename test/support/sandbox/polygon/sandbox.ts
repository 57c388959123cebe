/**
 * Polygon as a developer's machine has it: a real node with our contract on it, and a front that makes it fail on demand.
 */
import {
  Contract,
  ContractFactory,
  HDNodeWallet,
  JsonRpcProvider,
  Network,
  NonceManager,
  parseEther,
  Wallet,
} from 'ethers';
import { z } from 'zod';
import { ticketContract } from '../../chain/compile';
import type { Fault, FaultHandle } from '../faults';
import { serveSandbox, type ServeOptions } from '../serve';
import { Anvil, type AnvilOptions } from './anvil';
import { PolygonService } from './service';

/** Of anvil's own accounts, which hold play money on every anvil; the key is known to everybody. */
const PHRASE = 'test test test test test test test test test test test junk';
const SIGNER = HDNodeWallet.fromPhrase(PHRASE);
/** Another one, so that the signer's nonces are the service's alone. */
const DEPLOYER = HDNodeWallet.fromPhrase(PHRASE, '', "m/44'/60'/0'/0/1");

export interface MintedToken {
  tokenId: string;
  to: string;
  transactionHash: string;
  blockNumber: number;
}

export interface PolygonSandbox {
  url: string;
  contract: string;
  signer: { address: string; key: string };
  /** Every mint that a block has. */
  ledger(): Promise<MintedToken[]>;
  /** The nonces of every transaction of the signer's that a block has, in order. */
  nonces(address?: string): Promise<number[]>;
  node: Anvil;
  callsOf(method: string): number;
  fault(fault: Fault): FaultHandle;
  clearFaults(): void;
  /** A new account, with so much that it can pay or not. */
  fundedKey(ether?: string): Promise<{ key: string; address: string }>;
  close(): Promise<void>;
}

export async function startPolygonSandbox(options: ServeOptions & AnvilOptions = {}): Promise<PolygonSandbox> {
  const node = await Anvil.start(options);
  const network = new Network('polygon', 137n);
  const provider = new JsonRpcProvider(node.url, network, {
    staticNetwork: network,
    pollingInterval: 50,
    cacheTimeout: -1,
  });
  const { abi, bytecode } = ticketContract();
  const deployer = new NonceManager(DEPLOYER.connect(provider));
  const deployed = await new ContractFactory(abi, bytecode, deployer).deploy(DEPLOYER.address);
  await deployed.waitForDeployment();
  const contract = new Contract(await deployed.getAddress(), abi, deployer);
  const letMint = async (account: string): Promise<void> => {
    const role: unknown = await contract.getFunction('MINTER_ROLE')();
    const granted = await contract.getFunction('grantRole').send(role, account);
    await granted.wait(1, 10_000);
  };
  await letMint(SIGNER.address);
  const service = new PolygonService(() => node.url);
  const address = await contract.getAddress();
  const ledger = async (): Promise<MintedToken[]> => {
    const topics = (await contract.filters['Transfer']?.(`0x${'0'.repeat(40)}`).getTopicFilter()) ?? [];
    const logs = logList.parse(await node.ask('eth_getLogs', [{ address, fromBlock: '0x0', topics }]));
    return logs.map(({ topics: [, , to = '', tokenId = ''], transactionHash, blockNumber }) => ({
      tokenId: BigInt(tokenId).toString(),
      to: `0x${to.slice(-40)}`,
      transactionHash,
      blockNumber: Number(blockNumber),
    }));
  };
  const fault = (wanted: Fault) => service.faults.add(wanted);
  const clearFaults = () => service.faults.clear();
  const calls = () => [...service.calls.values()].reduce((sum, count) => sum + count, 0);
  const server = await serveSandbox(service, { ledger: () => ({}), calls, fault, clearFaults }, options);
  return {
    url: server.url,
    contract: address,
    signer: { address: SIGNER.address, key: SIGNER.privateKey },
    ledger,
    nonces: (of = SIGNER.address) => noncesOf(node, of),
    node,
    callsOf: (method) => service.calls.get(method) ?? 0,
    fault,
    clearFaults,
    fundedKey: async (ether = '100') => {
      const { address: account, privateKey: key } = Wallet.createRandom();
      await node.ask('anvil_setBalance', [account, `0x${parseEther(ether).toString(16)}`]);
      await letMint(account);
      return { key, address: account };
    },
    close: async () => {
      provider.destroy();
      await server.close();
      await node.stop();
    },
  };
}

const logList = z.array(
  z.object({ topics: z.array(z.string()), transactionHash: z.string(), blockNumber: z.string() }),
);
const block = z.object({ transactions: z.array(z.object({ from: z.string(), nonce: z.string() })) });

async function noncesOf(node: Anvil, address: string): Promise<number[]> {
  const height = Number(await node.ask('eth_blockNumber'));
  const nonces: number[] = [];
  for (let number = 0; number <= height; number += 1) {
    const { transactions } = block.parse(await node.ask('eth_getBlockByNumber', [`0x${number.toString(16)}`, true]));
    const own = transactions.filter(({ from }) => from.toLowerCase() === address.toLowerCase());
    nonces.push(...own.map(({ nonce }) => Number(nonce)));
  }
  return nonces;
}
