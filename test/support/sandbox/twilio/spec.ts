/** Checks messages against Twilio's OpenAPI document (3.0) with a JSON Schema validator. */
import Ajv, { type ValidateFunction } from 'ajv';
import { z } from 'zod';
import { complaints, toJsonSchema } from '../openapi';

const LIST_PATH = '/2010-04-01/Accounts/{AccountSid}/Messages.json';
const form = z.object({
  content: z.object({
    'application/x-www-form-urlencoded': z.object({ schema: z.looseObject({ properties: z.looseObject({}) }) }),
  }),
});
const parameter = z.object({ name: z.string(), in: z.string() });
const document = z.object({
  components: z.looseObject({}),
  paths: z.looseObject({
    [LIST_PATH]: z.object({
      get: z.object({ parameters: z.array(parameter), responses: z.object({ '200': z.looseObject({}) }) }),
      post: z.object({ requestBody: form }),
    }),
  }),
});

export class TwilioSpec {
  readonly #created: ValidateFunction;
  readonly #listed: ValidateFunction;
  readonly #fields: string[];
  readonly #filters: string[];

  constructor(openApi: unknown) {
    const { components, paths } = document.parse(toJsonSchema(openApi, 'twilio'));
    const { get, post } = paths[LIST_PATH];
    const validator = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    validator.addSchema({ $id: 'twilio', components });
    this.#created = validator.compile({ $ref: 'twilio#/components/schemas/api.v2010.account.message' });
    const { content } = z
      .object({ content: z.object({ 'application/json': z.object({ schema: z.looseObject({}) }) }) })
      .parse(get.responses['200']);
    this.#listed = validator.compile(content['application/json'].schema);
    this.#fields = Object.keys(post.requestBody.content['application/x-www-form-urlencoded'].schema.properties);
    this.#filters = get.parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  }

  /** Fields of a message's form that Twilio does not know. */
  unknownFields(message: string): string[] {
    return [...new URLSearchParams(message).keys()].filter((name) => !this.#fields.includes(name));
  }

  /** Filters of a list that Twilio does not know. */
  unknownFilters(query: string): string[] {
    return [...new URLSearchParams(query).keys()].filter((name) => !this.#filters.includes(name));
  }

  checkMessage(body: unknown): string[] {
    return complaints(this.#created, body);
  }

  checkList(body: unknown): string[] {
    return complaints(this.#listed, body);
  }
}
