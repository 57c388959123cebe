/** The load generator's process. */
import { driverCommand, type DriverCommand } from '../driver/commands';
import { Calls } from '../driver/calls';
import { Driver } from '../driver/driver';
import { answerQuestions } from './answering';

let driver: Driver | undefined;
const calls = new Calls();

async function obey(command: DriverCommand): Promise<unknown> {
  if (command.do === 'connect') {
    driver = await Driver.open(command.amqpUrl);
    return undefined;
  }
  if (!driver) throw new Error('not connected yet');
  switch (command.do) {
    case 'burst':
      return driver.burst(command.type, command.jobs);
    case 'verify':
      return driver.verify();
    case 'pace':
      return driver.pace(command.type, command.jobs, command.perSecond);
    case 'flow':
      return driver.flow(command.type, command.jobs, command.lead);
    case 'publish':
      return driver.publish(command.type, command.jobs);
    case 'arrivals':
      return driver.arrivals(command.jobs, command.from);
    case 'add':
      return calls.add(command.api, command.type, command.jobs, command.inFlight);
    case 'look':
      return calls.look(command.api, command.jobs, command.inFlight);
  }
}

answerQuestions((question) => obey(driverCommand.parse(question)));
