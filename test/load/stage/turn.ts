import path from 'node:path';
import { z } from 'zod';
import { CHECKOUT } from '../../../tools/services/layout';
import { called, latencies, timed, verified, type Called, type DriverCommand, type Timed } from '../driver/commands';
import type { Api } from '../driver/calls';
import { TYPESCRIPT, type Contestant } from './contestants';
import { CpuMeter } from './cpu';
import { openPlace, type Place } from './place';
import type { Program } from './program';
import type { Stage } from './stage';

/** Never reached by those that work; a contestant that hangs does not hold up the bench for ever. */
const BASE_LIMIT_MS = 60_000;
const LIMIT_MS_PER_JOB = 100;

/** One contestant at work in a place of its own, with a driver before it. */
export interface Turn {
  place: Place;
  program: Program;
  drive: Drive;
  cpu: CpuMeter;
}

/** @param work gets a contestant that takes requests */
export async function takeTurn<Value>(
  stage: Stage,
  contestant: Contestant,
  work: (turn: Turn) => Promise<Value>,
): Promise<Value> {
  const place = await openPlace(contestant.database);
  try {
    return await withProgram(stage, contestant, place, async (program) => {
      const driver = stage.start(driverOptions(stage));
      try {
        const drive = new Drive(driver);
        await drive.connect(place.variables.AMQP_URL);
        // Whoever waits for outcomes then would wait in vain.
        return await Promise.race([
          work({ place, program, drive, cpu: meterOf(stage, program, driver) }),
          program.death(),
        ]);
      } finally {
        await driver.stop();
      }
    });
  } finally {
    await place.remove();
  }
}

export async function withProgram<Value>(
  stage: Stage,
  contestant: Contestant,
  place: Place,
  work: (program: Program) => Promise<Value>,
): Promise<Value> {
  const logFile = path.join(stage.folder, 'logs', `${contestant.name.replaceAll(/\W+/g, '-')}.log`);
  const { ready, ...options } = await contestant.program(place, logFile);
  const program = stage.start(options);
  try {
    await ready(program);
    return await work(program);
  } finally {
    await program.stop();
  }
}

function meterOf(stage: Stage, program: Program, driver: Program): CpuMeter {
  return new CpuMeter({ ...stage.servers, program: [program.pid], driver: [driver.pid] });
}

function driverOptions({ folder }: Stage) {
  return {
    name: 'the driver',
    file: path.join(__dirname, '../programs/driver.ts'),
    nodeOptions: TYPESCRIPT,
    cwd: CHECKOUT,
    variables: {},
    logFile: path.join(folder, 'logs', 'driver.log'),
  };
}

/** The load generator in its own process; see driver/driver.ts. */
export class Drive {
  constructor(private readonly program: Program) {}

  connect(amqpUrl: string): Promise<unknown> {
    return this.ask({ do: 'connect', amqpUrl }, z.null(), 0);
  }

  burst(type: string, jobs: number): Promise<Timed> {
    return this.ask({ do: 'burst', type, jobs }, timed, jobs);
  }

  publish(type: string, jobs: number): Promise<unknown> {
    return this.ask({ do: 'publish', type, jobs }, z.null(), jobs);
  }

  arrivals(jobs: number, from = 0): Promise<Timed> {
    return this.ask({ do: 'arrivals', jobs, from }, timed, jobs);
  }

  pace(type: string, jobs: number, perSecond: number): Promise<number[]> {
    return this.ask({ do: 'pace', type, jobs, perSecond }, latencies, jobs);
  }

  flow(type: string, jobs: number, lead: number): Promise<Timed> {
    return this.ask({ do: 'flow', type, jobs, lead }, timed, jobs);
  }

  add(api: Api, type: string, jobs: number, inFlight: number): Promise<Called> {
    return this.ask({ do: 'add', api, type, jobs, inFlight }, called, jobs);
  }

  look(api: Api, jobs: number, inFlight: number): Promise<Called> {
    return this.ask({ do: 'look', api, jobs, inFlight }, called, jobs);
  }

  /** @throws unless every request had one outcome, `completed` */
  async verify(): Promise<void> {
    const told = await this.ask({ do: 'verify' }, verified, 0);
    const { missing, repeated, notCompleted } = told;
    if (missing + repeated + notCompleted > 0) throw new Error(`the outcomes are wrong: ${JSON.stringify(told)}`);
  }

  private ask<Answer>(command: DriverCommand, answer: z.ZodType<Answer>, jobs: number): Promise<Answer> {
    return this.program.ask(command, answer, BASE_LIMIT_MS + jobs * LIMIT_MS_PER_JOB);
  }
}
