/**
 * Tokens of a service account (RFC 7523, developers.google.com/identity/protocols/oauth2/service-account). The SDK's own
 * credential asks for them with no limit of time and past the agent that it is given.
 */
import type { Credential, GoogleOAuthAccessToken } from 'firebase-admin/app';
import type jsonwebtoken from 'jsonwebtoken';
import https from 'node:https';
import http from 'node:http';
import { z } from 'zod';
import { post } from '../../platform/outbound/post';
import { trusting } from '../../platform/outbound/agents';

export interface ServiceAccount {
  projectId: string;
  clientEmail: string;
  /** PEM. */
  privateKey: string;
  tokenUri: string;
}

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** The longest that Google takes. */
const ASSERTION_SECONDS = 3_600;
const TOKEN_TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 16 * 1024;

const token = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** No token was given; nothing was sent to anybody's device. */
export class TokenError extends Error {
  override name = 'TokenError';

  /** @param refused whether the account was not accepted, by the word of who gives tokens */
  constructor(
    readonly refused: boolean,
    options?: ErrorOptions,
  ) {
    super(refused ? 'the service account is not accepted' : 'no token was given', options);
  }
}

export class ServiceAccountCredential implements Credential {
  /** Of the last try: the SDK wraps errors, and tells what they were in free text alone. */
  failure: TokenError | undefined;

  constructor(
    private readonly account: ServiceAccount,
    private readonly ca: string | undefined,
  ) {}

  async getAccessToken(): Promise<GoogleOAuthAccessToken> {
    try {
      const given = await this.ask();
      this.failure = undefined;
      return given;
    } catch (error) {
      this.failure = error instanceof TokenError ? error : new TokenError(false, { cause: error });
      throw this.failure;
    }
  }

  private async ask(): Promise<GoogleOAuthAccessToken> {
    const url = new URL(this.account.tokenUri);
    const answer = await post(url, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: GRANT_TYPE, assertion: this.assertion() }).toString(),
      agent: url.protocol === 'http:' ? new http.Agent() : new https.Agent(trusting(this.ca)),
      timeoutMs: TOKEN_TIMEOUT_MS,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    });
    if (answer.status === 400 || answer.status === 401 || answer.status === 403) throw new TokenError(true);
    const given = answer.status === 200 ? token.safeParse(parseJson(answer.body)) : undefined;
    if (!given?.success) throw new TokenError(false);
    return given.data;
  }

  private assertion(): string {
    const { clientEmail, privateKey, tokenUri } = this.account;
    const { sign }: typeof jsonwebtoken = require('jsonwebtoken');
    return sign({ scope: SCOPE }, privateKey, {
      algorithm: 'RS256',
      issuer: clientEmail,
      audience: tokenUri,
      expiresIn: ASSERTION_SECONDS,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
