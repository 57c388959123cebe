import { X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** A comma list of networks, such as `10.1.0.0/16,fd00::/8`. */
export const networks = z.string().transform((list, context) =>
  list.split(',').map((text) => {
    try {
      return ipaddr.parseCIDR(text.trim());
    } catch {
      context.addIssue('must be a comma list of networks, such as 10.1.0.0/16');
      return z.NEVER;
    }
  }),
);

export const certificates = z.string().refine(isCertificate, 'must be certificates in PEM');

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== '';
  } catch {
    return false;
  }
}
