/** Holds the sandbox and the adapter to what Twilio itself publishes: its OpenAPI document of the API of 2010. */
import { readProviderSpecs } from '../support/sandbox/provider-specs';
import type { Exchange } from '../support/sandbox/serve';
import { ACCOUNT_SID } from '../support/sandbox/twilio/emulator';
import { startTwilioSandbox, type TwilioSandbox } from '../support/sandbox/twilio/sandbox';
import { adapterFor, justNow, textCall, textMessage } from '../support/sandbox/twilio/sending';
import { TwilioSpec } from '../support/sandbox/twilio/spec';

const PATH = `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`;
const files = readProviderSpecs('twilio/twilio_api_v2010.json');

(files ? describe : describe.skip)("Twilio's OpenAPI document", () => {
  let sandbox: TwilioSandbox;
  let spec: TwilioSpec;
  const exchanges: Exchange[] = [];

  beforeAll(async () => {
    spec = new TwilioSpec(files?.['twilio/twilio_api_v2010.json']);
    sandbox = await startTwilioSandbox({ onExchange: (exchange) => exchanges.push(exchange) });
  });
  afterAll(() => sandbox?.close());

  it('knows every field that the adapter sends, and the form of what the sandbox answers', async () => {
    await adapterFor(sandbox.url).send(textMessage(), textCall());

    const [sent] = exchanges.splice(0);
    expect(sent).toMatchObject({ request: { method: 'POST', path: PATH }, reply: { status: 201 } });
    expect(spec.unknownFields(sent?.request.body ?? '')).toEqual([]);
    expect(spec.checkMessage(bodyOf(sent))).toEqual([]);
  });

  it('knows how the adapter asks for messages, and the form of their list', async () => {
    await adapterFor(sandbox.url).find(textMessage(), justNow(), textCall());

    const [asked] = exchanges.splice(0);
    expect(asked).toMatchObject({ request: { method: 'GET', path: PATH }, reply: { status: 200 } });
    expect(spec.unknownFilters(asked?.request.query ?? '')).toEqual([]);
    expect(spec.checkList(bodyOf(asked))).toEqual([]);
  });

  it('is one that can be broken', () => {
    expect(spec.unknownFields('To=1&Colour=red')).toEqual(['Colour']);
    expect(spec.unknownFilters('To=1&Colour=red')).toEqual(['Colour']);
    expect(spec.checkMessage({ sid: 'SM1' })).not.toEqual([]);
    expect(spec.checkList({ messages: [{ sid: 'SM1' }] })).not.toEqual([]);
  });
});

function bodyOf(exchange: Exchange | undefined): unknown {
  return typeof exchange?.reply === 'object' ? exchange.reply.body : undefined;
}
