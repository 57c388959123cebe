import { formatDecimal, formatMoney } from '../../../src/handlers/money';

it.each([
  [12_345, 'USD', '$123.45'],
  [5, 'usd', '$0.05'],
  [1_000_000, 'EUR', '€10,000.00'],
  [5_000, 'JPY', '¥5,000'],
  [5_000, 'ISK', 'ISK 5,000'],
  [5_000, 'UGX', 'UGX 5,000'],
  [12_345, 'MGA', 'MGA 123.45'],
  [12_345, 'KWD', 'KWD 12.345'],
  [12_345, 'CLF', 'CLF 1.2345'],
  // Where Unicode's tables leave out digits that are charged.
  [12_345, 'HUF', 'HUF 123.45'],
  [12_345, 'IQD', 'IQD 12.345'],
  [100, 'XYZ', 'XYZ 1.00'],
])('%i %s is %s', (amount, currency, shown) => {
  // Intl puts a no-break space between code and number.
  expect(formatMoney(amount, currency).replaceAll('\u00a0', ' ')).toBe(shown);
});

it('is shown by the code of the currency where symbols cannot be', () => {
  expect(formatMoney(-12_345, 'inr', 'code').replaceAll('\u00a0', ' ')).toBe('-INR 123.45');
});

it.each([
  [12_345, 'USD', '123.45'],
  [-5, 'usd', '-0.05'],
  [5_000, 'JPY', '5000'],
  [12_345, 'KWD', '12.345'],
])('%i %s is %s to programs', (amount, currency, written) => {
  expect(formatDecimal(amount, currency)).toBe(written);
});
