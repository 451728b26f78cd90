/** Commands that read configuration files and open no port. */
import type { Command, Option } from '../command.ts';
import { ADMIN_OPTIONS, adminTarget, CONFIG_OPTION, configFile, WORKING_FILE } from '../config_place.ts';
import { UsageError } from '../parse_words.ts';

const JSON_OPTION: Option = { name: 'json', description: 'Print JSON, for programs' };

export const CONFIGURATION: readonly Command[] = [
  {
    name: 'init',
    summary: 'Write a commented configuration file to begin with',
    positionals: [{ name: 'FILE', optional: true, complete: 'file' }],
    options: [{ name: 'force', description: 'Overwrite the file if it exists' }],
    examples: [
      { command: 'fairlead init', shows: `writes ${WORKING_FILE}, which fairlead run finds by itself` },
    ],
    run: async ({ values, positionals: [file = WORKING_FILE] }) => {
      const { runInit } = await import('../init.ts');
      return runInit(file, values.flag('force'));
    },
  },
  {
    name: 'check',
    summary: 'Check the configuration file and list every problem; opens no port',
    positionals: [],
    options: [
      ...ADMIN_OPTIONS,
      JSON_OPTION,
      {
        name: 'against-running',
        description: 'Ask the running process which of its recent requests the file would send elsewhere',
      },
    ],
    examples: [
      { command: 'fairlead check --config new.yaml', shows: 'every problem with its line' },
      {
        command: 'fairlead check --against-running --config new.yaml',
        shows: 'which recent requests would go elsewhere',
      },
    ],
    run: async ({ values }) => {
      const { runCheck, runShadowCheck } = await import('../check.ts');
      const json = values.flag('json');
      if (!values.flag('against-running')) return runCheck(configFile(values), json);
      return runShadowCheck(adminTarget(values), configFile(values), json);
    },
  },
  {
    name: 'plan',
    summary: 'Print the compiled plan as JSON: defaults written out, secrets masked',
    positionals: [],
    options: [
      CONFIG_OPTION,
      { name: 'origins', description: 'Add where each value comes from: file:line:column, or "default"' },
    ],
    examples: [
      { command: 'fairlead plan --origins', shows: 'every value in force and the line that set it' },
    ],
    run: async ({ values }) => {
      const { runPlan } = await import('../plan.ts');
      return runPlan(configFile(values), values.flag('origins'));
    },
  },
  {
    name: 'diff',
    summary: 'Show what changes in meaning between two configuration files',
    details: [
      'Each change has its class: live, drain (something that serves goes away) or restart (a reload would be ' +
        'refused). Exit code 0: no difference, 1: there are some.',
    ],
    positionals: [
      { name: 'OLD', complete: 'file' },
      { name: 'NEW', complete: 'file' },
    ],
    options: [JSON_OPTION],
    examples: [
      { command: 'fairlead diff fairlead.yaml new.yaml', shows: 'each change in meaning, with its class' },
    ],
    run: async ({ values, positionals: [before = '', after = ''] }) => {
      const { runDiff } = await import('../diff.ts');
      return runDiff(before, after, values.flag('json'));
    },
  },
  {
    name: 'explain',
    summary: 'Show which route a request would take and why, what happened to one, or what a reason means',
    details: [
      'With a URL it only reads the configuration file: the route, why more specific routes did not match, ' +
        'what the backend would receive, and the settings in force with their lines. With --request it asks the ' +
        'running process what happened to a request. With a reason (tls_failed) it says what that means, how to ' +
        'find the cause and what to change.',
    ],
    positionals: [{ name: 'URL|REASON', optional: true }],
    options: [
      ...ADMIN_OPTIONS,
      {
        name: 'method',
        short: 'X',
        value: 'METHOD',
        default: 'GET',
        complete: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
        description: 'Method of the request; default: GET',
      },
      {
        name: 'header',
        short: 'H',
        value: "'NAME: VALUE'",
        repeatable: true,
        description: 'A header field of the request; may be given more than once',
      },
      {
        name: 'client-ip',
        value: 'IP',
        default: '127.0.0.1',
        description: 'Address that the request comes from; default: 127.0.0.1',
      },
      {
        name: 'listener',
        value: 'NAME',
        description: 'Listener that gets the request; default: the one with the port and scheme of the URL',
      },
      {
        name: 'request',
        value: 'ID',
        description: 'Explain this request of the running process; its response has the id in X-Request-Id',
      },
      JSON_OPTION,
    ],
    examples: [
      {
        command: 'fairlead explain -X POST https://api.example.com/v1/users',
        shows: 'the route it would take',
      },
      { command: 'fairlead explain --request 01JD3V…', shows: 'what happened to this request' },
      { command: 'fairlead explain tls_failed', shows: 'what it means and what to change' },
    ],
    run: async ({ values, positionals: [url] }) => {
      const json = values.flag('json');
      const id = values.text('request');
      if (id !== null) {
        const { runExplainRequest } = await import('../explain_request.ts');
        return runExplainRequest(adminTarget(values), id, json);
      }
      if (url === undefined) throw new UsageError('explain needs a URL, --request ID or a reason');
      const { looksLikeReason, runExplainReason } = await import('../explain_reason.ts');
      if (looksLikeReason(url)) return runExplainReason(url, json);
      const { runExplain } = await import('../explain.ts');
      return runExplain(configFile(values), {
        url,
        method: values.text('method') ?? 'GET',
        headers: values.texts('header'),
        clientIp: values.text('client-ip') ?? '127.0.0.1',
        listener: values.text('listener'),
        json,
      });
    },
  },
  {
    name: 'schema',
    summary: 'Print the JSON Schema of the configuration, for editors',
    positionals: [],
    options: [],
    examples: [{ command: 'fairlead schema > fairlead.schema.json', shows: 'a file for the editor' }],
    run: async () => {
      const { runSchema } = await import('../schema.ts');
      return runSchema();
    },
  },
];
