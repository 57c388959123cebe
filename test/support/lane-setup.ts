import { readLane } from './lanes';

// Test files that run at the same time share no server: some of them empty a Redis, or count what is in a database.
Object.assign(process.env, readLane());
