/** Two restarts on a shared port under load; prints what became of the requests. For a network of its own. */
import { echo } from './backend_behaviours.ts';
import { forwardTo } from './plan_builder.ts';
import { startProxyProcess } from './proxy_under_test.ts';
import { closedPort, startBackend } from './scripted_backend.ts';
import { DRAIN_IN_STEPS, SteadyClients } from './steady_clients.ts';

const RESTARTS = 2;

const backend = await startBackend(echo());
const listener = { address: `127.0.0.1:${await closedPort()}`, reusePort: true };
const config = forwardTo([backend.address], { listener, process: DRAIN_IN_STEPS });
let current = await startProxyProcess(config);
const clients = new SteadyClients(current.target().port);
const served: number[] = [];
for (let restart = 0; restart < RESTARTS; restart++) {
  await clients.goOn();
  const next = await startProxyProcess(config); // serves now, beside the old one
  await current.stop();
  served.push(current.lines.find({ status: 200 }).length);
  current = next;
}
await clients.goOn();
const result = await clients.stop();
await current.stop();
served.push(current.lines.find({ status: 200 }).length);
await backend.close();
console.log(JSON.stringify({ ...result, served }));
