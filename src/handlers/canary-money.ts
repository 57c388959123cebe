import { canaryMoney } from '../catalogue/canary-money';
import { defineHandler } from './handler';
import { done } from './outcome';

export const canaryMoneyHandler = defineHandler(canaryMoney, ({ n }) => Promise.resolve(done({ n })));
