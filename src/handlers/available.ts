import { isUnavailable } from '../platform/postgres/errors';

/** Undefined when PostgreSQL cannot be used just now. @throws what is a fault in this program */
export async function whileAvailable<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return undefined;
  }
}
