import { describeCrashes } from '../../support/crash-matrix';

describeCrashes(['communication', 'background']);
