import { describeCrashes } from '../../support/crash-matrix';

describeCrashes(['money']);
