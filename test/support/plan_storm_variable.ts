/** `1` for the processes of the test files that test/run.ts runs in the storm of plan_storm.ts. */
export const PLAN_STORM = 'FAIRLEAD_TEST_PLAN_STORM';
