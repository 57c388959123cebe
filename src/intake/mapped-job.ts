import type { JobTypeName } from '../catalogue';

/** A job that a domain event asks for; its key comes from the event's own ids, so that an event seen twice asks once. */
export interface MappedJob {
  type: JobTypeName;
  idempotencyKey: string;
  data: Record<string, unknown>;
  /** Where the event has what is called otherwise in the payload, so that a problem leads to the right place. */
  places?: Record<string, string>;
}
