import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const FILE = path.join(__dirname, '../../Dockerfile');

export interface Stage {
  name: string;
  base: string;
  /** In order, each as its word and what follows. */
  instructions: { word: string; rest: string }[];
}

/** The Dockerfile's stages, from its text: comments gone, continued lines joined. */
export function readStages(): Stage[] {
  const lines = readFileSync(FILE, 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Stage[] = [];
  for (const line of lines) {
    const [word = '', ...parts] = line.split(' ');
    const rest = parts.join(' ');
    const from = /^(\S+) AS (\S+)$/.exec(rest);
    if (word === 'FROM') stages.push({ base: from?.[1] ?? rest, name: from?.[2] ?? '', instructions: [] });
    else stages.at(-1)?.instructions.push({ word, rest });
  }
  return stages;
}

export function stageOf(name: string): Stage {
  const stage = readStages().find((candidate) => candidate.name === name);
  if (!stage) throw new Error(`the Dockerfile has no stage ${name}`);
  return stage;
}

/** What a stage runs, in exec form: `CMD` itself, or the command of its `HEALTHCHECK`. */
export function commandOf(stage: Stage, word: 'CMD' | 'HEALTHCHECK'): [string, ...string[]] {
  const rest = stage.instructions.findLast((instruction) => instruction.word === word)?.rest ?? '';
  return z.tuple([z.string()], z.string()).parse(JSON.parse(rest.slice(rest.indexOf('['))));
}
