/** The SDK with everything bounded that axios leaves open. */
import type sharedClient from '@sendgrid/client';
import type sharedService from '@sendgrid/mail';
import { axiosBounds } from '../axios';

type Client = typeof sharedClient;
export type MailService = typeof sharedService;

/** An answer is empty, or lists what is wrong with a mail. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Opens a mail service for one call, which ends when `deadline` aborts. */
export function createMailService(options: {
  apiKey: string;
  apiBase?: string;
}): (deadline: AbortSignal) => MailService {
  const bounds = axiosBounds(MAX_ANSWER_BYTES);
  return (deadline) => {
    const { Client, MailService } = loadSdk();
    // A client a call, since a client is the only thing that the SDK lets carry a signal.
    const client = new Client();
    client.setApiKey(options.apiKey);
    // What the SDK does not know it hands on to axios. After the key, which sets the address too.
    const request = { ...bounds, url: '', signal: deadline };
    client.setDefaultRequest(request);
    if (options.apiBase !== undefined) client.setDefaultRequest('baseUrl', options.apiBase);
    const service = new MailService();
    service.setClient(client);
    return service;
  };
}

/**
 * On first use: a process that sends no mail need not load axios. The SDK's types know only its ready-made instances, which
 * all users of a process share, and not the classes that it exports beside them.
 */
function loadSdk() {
  const { Client }: { Client: new () => Client } = require('@sendgrid/client');
  const { MailService }: { MailService: new () => MailService } = require('@sendgrid/mail');
  return { Client, MailService };
}
