import { leastRequestsPolicy } from '../../src/load_balancer/least_requests.ts';
import { randomPolicy } from '../../src/load_balancer/random.ts';
import { RoundRobinPolicy } from '../../src/load_balancer/round_robin.ts';
import { policyContract } from './policy_contract.ts';

policyContract('roundRobin', random => new RoundRobinPolicy({ at: -1, dispose: () => {} }, random));
policyContract('leastRequests', random => leastRequestsPolicy(random));
policyContract('random', random => randomPolicy(random));
