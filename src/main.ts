import { ConfigError, loadConfig } from './config';
import { createService, type Service } from './service';

/** `EX_CONFIG` of sysexits.h. */
const EXIT_CONFIG = 78;

async function main(): Promise<void> {
  const service = createService(loadConfig(process.env));
  stopOnSignal(service);
  await service.start();
}

/** The first signal drains; a second one ends the process at once. */
function stopOnSignal(service: Service): void {
  let stopping = false;
  const onSignal = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    service.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : 'the service failed to start'}\n`);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
});
