import { decodeEvent } from '../../../src/intake/decode';
import { CONTENT_TYPE, MAX_BODY_BYTES } from '../../../src/contract/names';

const event = { specversion: '1.0', id: 'id-1', source: '/shop', type: 'some.type', data: { n: 1 } };
const decode = (value: unknown, contentType: string | undefined = CONTENT_TYPE) =>
  decodeEvent(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), contentType);
const pathsOf = (value: unknown, contentType?: string) => decode(value, contentType).problems.map(({ path }) => path);

describe('decoding', () => {
  it('reads a CloudEvent and leaves out what it does not know', () => {
    const decoded = decode({ ...event, partitionkey: 'x', time: '2026-01-15T10:00:00+02:00', correlationid: 'c' });
    expect(decoded).toEqual({
      event: { ...event, time: '2026-01-15T10:00:00+02:00', correlationid: 'c' },
      problems: [],
    });
  });

  it.each([CONTENT_TYPE, `${CONTENT_TYPE}; charset=utf-8`, 'Application/CloudEvents+JSON'])('takes %s', (type) => {
    expect(pathsOf(event, type)).toEqual([]);
  });

  it('refuses every other content type, and says what else is wrong as well', () => {
    expect(decodeEvent(Buffer.from(JSON.stringify(event)), undefined).problems).toHaveLength(1);
    expect(pathsOf({ ...event, id: '' }, 'application/json')).toEqual(['(content-type)', 'id']);
  });

  it.each([
    ['id', ''],
    ['id', 'x'.repeat(256)],
    ['id', '\u00e9'.repeat(128)],
    ['source', 'a\u0007b'],
    ['source', undefined],
    ['specversion', '0.3'],
    ['time', 'yesterday'],
    ['time', '1969-12-31T23:59:59Z'],
    ['time', '2026-02-30T00:00:00Z'],
    ['datacontenttype', 'text/plain'],
    ['correlationid', 'x'.repeat(256)],
    ['traceparent', '00-nothing'],
    ['data', undefined],
  ])('refuses the attribute %s being %j', (name, value) => {
    expect(pathsOf({ ...event, [name]: value })).toEqual([name]);
  });

  it('takes ids of up to 255 bytes', () => {
    expect(pathsOf({ ...event, id: 'x'.repeat(255), correlationid: '\u00e9'.repeat(127) })).toEqual([]);
  });

  it('still reads the attributes that are sound by themselves', () => {
    const decoded = decode({ ...event, specversion: '9', source: 'x'.repeat(300), correlationid: 'c' });
    expect(decoded).toMatchObject({ partial: { id: 'id-1', source: undefined, correlationId: 'c' } });
  });

  it.each([
    ['no JSON', '{"a":', 'is not valid JSON'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'is not valid UTF-8'],
    ['too many bytes', Buffer.alloc(MAX_BODY_BYTES + 1, 0x20), /bytes, more than/],
  ])('says what is wrong with %s without a word of it', (_, content, message) => {
    expect(decodeEvent(Buffer.from(content), CONTENT_TYPE)).toEqual({
      partial: { id: undefined, source: undefined, correlationId: undefined, traceparent: undefined, data: undefined },
      problems: [{ path: '(body)', message: expect.stringMatching(message) }],
    });
  });

  it.each(['null', '1', '"text"', '[]', '[{}]', '{}', '{"__proto__":{"id":"x"}}'])('survives %s', (text) => {
    expect(decode(text)).toMatchObject({ partial: { id: undefined } });
  });
});
