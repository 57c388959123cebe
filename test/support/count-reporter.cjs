// Plain JavaScript: jest transforms tests and set-ups, but loads reporters as they are.

/** Ends the run's output with one line for machines: `N passed, N failed`, and `, N skipped` where some were. */
class CountReporter {
  onRunComplete(_contexts, results) {
    const line = countLine(results);
    // At the very end, after all that jest and the other reporters still have to say.
    process.once('exit', () => process.stdout.write(`${line}\n`));
  }
}

/** A suite that could not run has no tests to count, so it counts itself; the same for a run that broke down. */
function countLine(results) {
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites + (results.runExecError ? 1 : 0);
  const skipped = results.numPendingTests + results.numTodoTests;
  return `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

module.exports = CountReporter;
