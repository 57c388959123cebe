/** Checks mails against SendGrid's OpenAPI document (3.1, which is JSON Schema 2020-12) with a JSON Schema validator. */
import Ajv, { type ValidateFunction } from 'ajv/dist/2020';
import { z } from 'zod';
import { complaints, toJsonSchema } from '../openapi';

const media = z.object({ schema: z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() }) });
const content = z.object({ content: z.object({ 'application/json': media }) });
const document = z.object({
  components: z.looseObject({
    schemas: z.record(z.string(), z.unknown()),
    requestBodies: z.object({ PostMailSend: content }),
  }),
});

export class SendGridSpec {
  readonly #mail: ValidateFunction;
  readonly #error: ValidateFunction;

  constructor(openApi: unknown) {
    const { components } = document.parse(toJsonSchema(openApi, 'sendgrid'));
    const { schema } = components.requestBodies.PostMailSend.content['application/json'];
    // The document says text; the API's reference page, and SendGrid's own SDKs, send an object.
    const custom_args = { type: 'object', additionalProperties: { type: 'string' } };
    const validator = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    validator.addSchema({ $id: 'sendgrid', components });
    this.#mail = validator.compile({ ...schema, properties: { ...schema.properties, custom_args } });
    this.#error = validator.compile({ $ref: 'sendgrid#/components/schemas/ErrorResponse' });
  }

  /** Complaints about the body of POST /v3/mail/send; none when it is valid. */
  checkMail(body: unknown): string[] {
    return complaints(this.#mail, body);
  }

  checkError(body: unknown): string[] {
    return complaints(this.#error, body);
  }
}
