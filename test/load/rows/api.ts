import { TokenIssuer } from '../../support/tokens';
import type { Called } from '../driver/commands';
import { percentile } from '../figures';
import { freePort, type Contestant } from '../stage/contestants';
import type { CpuMs } from '../stage/cpu';
import { takeTurn } from '../stage/turn';
import { cpuFigures, CPU_PER_JOB, jobsOf, warmUpOf } from './end-to-end';
import { interleaved } from './interleaved';
import type { Row } from './row';
import { services } from './throughput';

const USUAL_JOBS = 5_000;
const USUAL_RUNS = 3;
const IN_FLIGHT = 50;

export const api: Row = {
  name: 'api',
  about: `money jobs added by HTTP and looked at, ${IN_FLIGHT} callers at the same time`,
  measure: async (stage) => {
    const jobs = jobsOf(stage, USUAL_JOBS);
    const issuer = new TokenIssuer();
    const address = `http://127.0.0.1:${await freePort()}`;
    const servers = services(stage, { ROLES: 'api', JWT_PUBLIC_KEY: issuer.publicKey, PORT: new URL(address).port });
    const turn = (contestant: Contestant) =>
      takeTurn(stage, contestant, async ({ drive, cpu }) => {
        const called = { address, token: issuer.token('service', { id: 'bench' }) };
        await drive.add(called, 'canary-money', warmUpOf(jobs), IN_FLIGHT);
        await drive.look(called, warmUpOf(jobs), IN_FLIGHT);
        const atFirst = cpu.read();
        const added = await drive.add(called, 'canary-money', jobs, IN_FLIGHT);
        const [ofAdding, between] = [cpu.since(atFirst), cpu.read()];
        const looked = await drive.look(called, jobs, IN_FLIGHT);
        return { ...figures('add', added, ofAdding), ...figures('status', looked, cpu.since(between)) };
      });
    return { jobs, measured: await interleaved(stage, servers, turn, USUAL_RUNS), checks: [] };
  },
};

function figures(name: string, { seconds, waits }: Called, used: CpuMs): Record<string, number> {
  const { [CPU_PER_JOB]: cpuMs } = cpuFigures(used, waits.length, seconds);
  return {
    [`${name}, calls/s`]: waits.length / seconds,
    [`${name}, ms p50`]: percentile(waits, 0.5),
    [`${name}, ms p95`]: percentile(waits, 0.95),
    [`${name}, ms p99`]: percentile(waits, 0.99),
    ...(cpuMs === undefined ? {} : { [`${name}, CPU ms/call`]: cpuMs }),
  };
}
