/**
 * The other end of stage/program.ts, for the bench's own programs: hears a question, answers it, and ends when the bench
 * is gone.
 */
export function answerQuestions(answer: (question: unknown) => Promise<unknown>): void {
  process.on('message', (question) => {
    answer(question).then(
      (value) => process.send?.({ answer: value ?? null }),
      (error: unknown) => process.send?.({ failure: error instanceof Error ? (error.stack ?? error.message) : error }),
    );
  });
  process.on('disconnect', () => process.exit(1));
  process.on('SIGTERM', () => process.exit(0));
}
