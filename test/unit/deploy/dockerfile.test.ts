import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { commandOf, readStages, stageOf } from '../../support/dockerfile';

const ROOT = path.join(__dirname, '../../..');
const ignored = readFileSync(path.join(ROOT, '.dockerignore'), 'utf8').split('\n');
const instructionsOf = (word: string) =>
  readStages().flatMap(({ instructions }) => instructions.filter((instruction) => instruction.word === word));

describe('the Dockerfile', () => {
  it('starts from one exact version of Node, and from itself', () => {
    const names = readStages().map(({ name }) => name);
    const bases = new Set(readStages().map(({ base }) => base));
    const outside = [...bases].filter((base) => !names.includes(base));
    expect(outside).toEqual([expect.stringMatching(/^node:20\.\d+\.\d+-\w+-slim$/)]);
  });

  it('copies what is there and reaches the builder, and nothing else does', () => {
    const copied = instructionsOf('COPY')
      .filter(({ rest }) => !rest.startsWith('--from='))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    for (const source of copied) expect(existsSync(path.join(ROOT, source))).toBe(true);
    const admitted = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(ignored.filter((line) => /^[^#!]/.test(line))).toEqual(['*']);
    expect(admitted.toSorted()).toEqual([...new Set(copied)].toSorted());
  });

  it('holds no secret, and asks for none', () => {
    const named = [...instructionsOf('ENV'), ...instructionsOf('ARG')].map(({ rest }) => rest);
    expect(named).toEqual(['NODE_ENV=production']);
  });

  it.each(['service', 'sandbox'])(
    'runs %s as nobody in particular, directly, and can tell whether it lives',
    (name) => {
      const stage = stageOf(name);
      const words = stage.instructions.map(({ word }) => word);
      expect(stage.instructions).toContainEqual({ word: 'USER', rest: 'node' });
      expect(words.lastIndexOf('COPY')).toBeLessThan(words.indexOf('USER'));
      expect(words).not.toContain('ENTRYPOINT');
      expect(commandOf(stage, 'CMD')[0]).toBe('node');
      expect(commandOf(stage, 'HEALTHCHECK')[0]).toBe('node');
    },
  );

  it('gives the service what was built and its own packages, not those of development', () => {
    const copies = stageOf('service').instructions.filter(({ word }) => word === 'COPY');
    const stages = copies.map(({ rest }) => rest.split(' ').slice(0, 2).join(' '));
    expect(stages.toSorted()).toEqual([
      '--from=build /app/dist',
      '--from=production-packages /app/node_modules',
      '--from=production-packages /app/package.json',
    ]);
    expect(stageOf('production-packages').instructions).toEqual([
      { word: 'RUN', rest: 'npm ci --omit=dev --ignore-scripts' },
    ]);
    expect(stageOf('service').base).not.toBe('build');
  });

  it('starts what the package names as its program', () => {
    const { main, scripts } = z
      .object({ main: z.string(), scripts: z.object({ start: z.string() }) })
      .parse(JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')));
    const command = commandOf(stageOf('service'), 'CMD');
    expect(command.at(-1)).toBe(main);
    expect(scripts.start).toBe(command.join(' '));
  });
});
