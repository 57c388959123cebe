/** An intake in a process of its own, which dies when it is about to claim a request whose note is `kills`. */
import { z } from 'zod';
import { loadConfig } from '../../../src/config';
import { createService } from '../../../src/service';
import { around } from '../around';

const claims = z.array(z.object({ data: z.string() }));

const decorate = around({
  claim: (run, [asked]) => {
    const batch = claims.parse(asked);
    process.stdout.write(`claims ${batch.length}\n`);
    if (batch.some(({ data }) => data.includes('"kills"'))) process.kill(process.pid, 'SIGKILL');
    return run();
  },
});

const service = createService(loadConfig({ ...process.env, ROLES: 'consumer' }), { decorate });
process.once('SIGTERM', () => void service.stop().then(() => process.exit(0)));
void service.start();
