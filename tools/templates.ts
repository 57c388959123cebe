/**
 * `npm run templates` compiles the mail templates from MJML to HTML that mail clients understand, still with their
 * Handlebars expressions; `-- --check` fails when a compiled file is not what its source says.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const FOLDER = path.resolve(__dirname, '../src/handlers/email/templates');
const SOURCE = '.mjml';

interface Compiled {
  html: string;
  errors: { formattedMessage: string }[];
}

/** The package has no types of its own. */
const mjml2html: (source: string, options: object) => Promise<Compiled> = require('mjml');

/** Templates share a part, which MJML includes only from where it is told to. */
const OPTIONS = { validationLevel: 'strict', ignoreIncludes: false, filePath: FOLDER, includePath: FOLDER };

/** Every compiled template, by the file it belongs in. */
export async function compileTemplates(): Promise<Map<string, string>> {
  const compiled = new Map<string, string>();
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(SOURCE))) {
    const { html } = await mjml2html(readFileSync(path.join(FOLDER, file), 'utf8'), OPTIONS);
    const lines = html.split('\n').map((line) => line.trimEnd());
    const target = path.join(FOLDER, `${path.basename(file, SOURCE)}.html.hbs`);
    compiled.set(target, `${lines.filter((line) => line !== '').join('\n')}\n`);
  }
  return compiled;
}

async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { check: { type: 'boolean', default: false } } });
  let stale = 0;
  for (const [file, text] of await compileTemplates()) {
    const shown = path.relative(process.cwd(), file);
    if (!values.check) {
      writeFileSync(file, text);
      console.log(`${shown} written`);
    } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
      stale += 1;
      console.error(`${shown} is not what its source says: run npm run templates`);
    }
  }
  return stale === 0 ? 0 : 1;
}

if (require.main === module) {
  main(process.argv.slice(2)).then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
