/** Compiles the ticket contract with solc alone; kept in .local until its source changes, since it takes seconds. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../../src/platform/ids';

const ROOT = path.join(__dirname, '../../..');
const SOURCE = 'TicketToken.sol';

const compiled = z.object({ abi: z.array(z.record(z.string(), z.unknown())), bytecode: z.string().startsWith('0x') });
export type CompiledContract = z.infer<typeof compiled>;

const output = z.object({
  errors: z.array(z.object({ severity: z.string(), formattedMessage: z.string() })).optional(),
  contracts: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.object({ abi: compiled.shape.abi, evm: z.object({ bytecode: z.object({ object: z.string() }) }) }),
      ),
    )
    .optional(),
});

export function ticketContract(): CompiledContract {
  const source = readFileSync(path.join(__dirname, SOURCE), 'utf8');
  const file = path.join(ROOT, '.local', `ticket-token-${sha256(source).slice(0, 12)}.json`);
  if (existsSync(file)) return compiled.parse(JSON.parse(readFileSync(file, 'utf8')));
  const contract = compile(source);
  mkdirSync(path.dirname(file), { recursive: true });
  // Others may read it at this moment.
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(contract));
  renameSync(`${file}.${process.pid}`, file);
  return contract;
}

function compile(content: string): CompiledContract {
  const solc: { compile(input: string, callbacks: object): string } = require('solc');
  const settings = {
    optimizer: { enabled: true, runs: 200 },
    // OpenZeppelin's use instructions of it.
    evmVersion: 'cancun',
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
  };
  const input = JSON.stringify({ language: 'Solidity', sources: { [SOURCE]: { content } }, settings });
  const { errors = [], contracts } = output.parse(JSON.parse(solc.compile(input, { import: readImport })));
  const faults = errors.filter(({ severity }) => severity === 'error');
  const contract = contracts?.[SOURCE]?.['TicketToken'];
  if (!contract || faults.length > 0) throw new Error(faults.map((fault) => fault.formattedMessage).join('\n'));
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
}

function readImport(name: string): { contents: string } {
  return { contents: readFileSync(path.join(ROOT, 'node_modules', name), 'utf8') };
}
