/**
 * Digits after the point where they are not two: ISO 4217, list one (six-group.com). Intl's own are the Unicode
 * Consortium's, made for cash: forints would lose two digits that were charged.
 */
const MINOR_DIGITS: Readonly<Record<string, number>> = {
  ...digits(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...digits(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...digits(4, 'CLF UYW'),
};

function digits(count: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(' ').map((currency) => [currency, count]));
}

/** An amount in minor units, as programs read it: 12345 USD is "123.45". */
export function formatDecimal(amount: number, currency: string): string {
  const fractionDigits = fractionDigitsOf(currency);
  return (amount / 10 ** fractionDigits).toFixed(fractionDigits);
}

function fractionDigitsOf(currency: string): number {
  return MINOR_DIGITS[currency.toUpperCase()] ?? 2;
}

/**
 * An amount in minor units, as an English reader expects it: 12345 USD is "$123.45", or "USD 123.45" by its code, for where
 * not every symbol can be shown.
 */
export function formatMoney(amount: number, currency: string, currencyDisplay: 'symbol' | 'code' = 'symbol'): string {
  const fractionDigits = fractionDigitsOf(currency);
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currencyDisplay,
    currency: currency.toUpperCase(),
    minimumFractionDigits: fractionDigits,
    maximumFractionDigits: fractionDigits,
  }).format(amount / 10 ** fractionDigits);
}
