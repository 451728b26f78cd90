import { LeastRequestsPolicy } from '../../src/load_balancer/least_requests.ts';
import { RandomPolicy } from '../../src/load_balancer/random.ts';
import { RoundRobinPolicy } from '../../src/load_balancer/round_robin.ts';
import { policyContract } from './policy_contract.ts';

policyContract('roundRobin', random => new RoundRobinPolicy({ at: -1, dispose: () => {} }, random));
policyContract('leastRequests', random => new LeastRequestsPolicy(random));
policyContract('random', random => new RandomPolicy(random));
