/** Set by test/run.ts for the processes of its test files: the pause between two swaps of plan_storm.ts. */
export const PLAN_STORM_MS = 'FAIRLEAD_TEST_PLAN_STORM_MS';
