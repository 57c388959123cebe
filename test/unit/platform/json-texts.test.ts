import { arrayOfJsonTexts, jsonTexts } from '../../../src/platform/postgres/json-texts';

describe('JSON texts as one parameter', () => {
  it('are told apart whatever they say: no JSON text has the character between them', () => {
    const texts = [JSON.stringify('\u001f'), JSON.stringify({ a: '"\\,{}' }), '0'];
    expect(jsonTexts(texts).split('\u001f')).toEqual(texts);
  });

  it('are nothing where they are null', () => {
    expect(jsonTexts([null, '1', null])).toBe('\u001f1\u001f');
    expect(arrayOfJsonTexts('$3')).toBe(`string_to_array($3, E'\\x1f', '')`);
  });
});
