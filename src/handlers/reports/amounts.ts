/** An amount in a cell, in minor units. */
export class Money {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}

  /** Without one where nobody knows the currency: XXX is ISO 4217's code for none. */
  static of(amount: number, currency: string | undefined): Money {
    return new Money(amount, currency?.toUpperCase() ?? 'XXX');
  }
}
