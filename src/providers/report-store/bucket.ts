import type { Readable } from 'node:stream';
import type * as S3 from '@aws-sdk/client-s3';
import type * as LibStorage from '@aws-sdk/lib-storage';
import { ask, unavailable, type ReportPlace } from './place';

export interface BucketOptions {
  bucket: string;
  region: string;
  /** Of a service that speaks as S3 does; Amazon's own where it is absent. */
  endpoint: string | undefined;
  /** Without them the SDK looks where it usually does: environment, files, the machine's role. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** Given up when a request, or a connection in use, is silent for so long; asked again twice. */
  answerTimeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** S3's smallest part; two are held in memory while one is sent. */
const PART_BYTES = 5 * 1024 * 1024;
const PARTS_AT_ONCE = 2;

export function createReportBucket(options: BucketOptions): ReportPlace {
  let client: S3.S3Client | undefined;
  const connect = (): S3.S3Client => (client ??= createClient(options));
  const { bucket: Bucket } = options;
  return {
    location: 'bucket',
    write: (key, contentType, content, signal) => upload(connect(), { Bucket, Key: key }, contentType, content, signal),
    read: (key) => ask('bucket', () => read(connect(), { Bucket, Key: key })),
    remove: async (key) => {
      const { DeleteObjectCommand } = loadS3();
      await ask('bucket', () => connect().send(new DeleteObjectCommand({ Bucket, Key: key })));
    },
    // What was left behind is the bucket's own rules' to remove; see docs/providers.md.
    sweep: () => Promise.resolve(),
  };
}

function createClient({ region, endpoint, credentials, answerTimeoutMs }: BucketOptions): S3.S3Client {
  const { S3Client } = loadS3();
  return new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
    // Services that only speak as S3 does need not know the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: answerTimeoutMs,
      socketTimeout: answerTimeoutMs,
      // Else it says so on the console and waits on.
      throwOnRequestTimeout: true,
    },
  });
}

/** In parts, which become an object when the last one is there; what was begun and given up is taken back. */
async function upload(
  client: S3.S3Client,
  place: { Bucket: string; Key: string },
  contentType: string,
  content: Readable,
  signal: AbortSignal,
): Promise<void> {
  const { Upload } = loadLibStorage();
  const uploading = new Upload({
    client,
    params: { ...place, Body: content, ContentType: contentType },
    partSize: PART_BYTES,
    queueSize: PARTS_AT_ONCE,
  });
  // By its content: `abort` would leave the parts that were sent where they are.
  const stop = (): void => void content.destroy(new Error('the upload was to stop'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    await uploading.done();
  } catch (error) {
    content.destroy();
    throw isAnswer(error) ? unavailable('bucket', error) : error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function read(client: S3.S3Client, place: { Bucket: string; Key: string }): Promise<Readable | undefined> {
  const { GetObjectCommand, NoSuchKey } = loadS3();
  try {
    const { Body } = await client.send(new GetObjectCommand(place));
    // In Node the SDK answers with a stream of Node's; its type knows browsers as well.
    return Body as Readable | undefined;
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

/** The bucket's own answer, or none of it; anything else is about the content. */
function isAnswer(error: unknown): boolean {
  return (
    (error instanceof Error && '$metadata' in error) ||
    (error instanceof Error && 'code' in error && 'syscall' in error)
  );
}

/** On first use: it is large, and only those who make or serve reports need it. */
function loadS3(): typeof S3 {
  const sdk: typeof S3 = require('@aws-sdk/client-s3');
  return sdk;
}

function loadLibStorage(): typeof LibStorage {
  const sdk: typeof LibStorage = require('@aws-sdk/lib-storage');
  return sdk;
}
