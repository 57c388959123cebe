/** Connections to hosts that somebody else has named: only to public addresses, whatever name or redirect leads there. */
import https from 'node:https';
import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';
import { InternalAddressError, type AddressGuard } from './addresses';

/** Idle connections are dropped before the other end is likely to drop them. */
export const IDLE_CONNECTION_MS = 10_000;

/** What TLS trusts: the authorities that Node knows, and those of the configuration, in PEM. */
export function trusting(ca: string | undefined): { ca?: string[] } {
  return ca === undefined ? {} : { ca: [...rootCertificates, ca] };
}

export class GuardedAgent extends https.Agent {
  constructor(
    private readonly guard: AddressGuard,
    ca: string | undefined,
  ) {
    super({ keepAlive: true, timeout: IDLE_CONNECTION_MS, lookup: guard.lookup, ...trusting(ca) });
  }

  /**
   * Names are judged when they are resolved; an address is never resolved.
   * @throws InternalAddressError
   */
  override createConnection(
    ...[options, callback]: Parameters<https.Agent['createConnection']>
  ): ReturnType<https.Agent['createConnection']> {
    const host = options.host ?? '';
    if (isIP(host) !== 0 && !this.guard.allows(host)) throw new InternalAddressError();
    return super.createConnection(options, callback);
  }
}
