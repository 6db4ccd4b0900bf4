/** The HTTP side of captures: what the server's router calls for `POST /v1/CAPTURE` and `/v1/jobs/…`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { captures, isCaptureName, type JobInfo } from '../../protocol/captures.ts';
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import { parseParameters } from '../../protocol/parameters.ts';
import type { Envelope } from '../../protocol/replies.ts';
import { encodeError, pathPrefix, schema } from '../../protocol/wire.ts';
import type { Job, JobProcess } from '../captures/job.ts';
import type { JobManager } from '../captures/manager.ts';
import { isJobPath } from './paths.ts';
import { streamProgress } from './progress.ts';
import { sendArtifact } from './transfer.ts';

export interface JobContext {
  readonly jobs: JobManager;
  /** The process that the request's selector chose. */
  readonly process: JobProcess;
  /** Captures and what changes them are refused. */
  readonly readOnly: boolean;
}

/**
 * Answers the request if its path is one of ours; else returns false and leaves it alone. Errors are replied, never thrown.
 * The request has been admitted and its process chosen; its body, if any, is not looked at.
 */
export async function handleJobRequest(
  request: IncomingMessage,
  response: ServerResponse,
  context: JobContext,
): Promise<boolean> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  if (!path.startsWith(pathPrefix) || !isJobPath(path)) return false;
  try {
    const [name = '', id = '', part] = path.slice(pathPrefix.length).split('/');
    if (isCaptureName(name)) {
      allow(request, response, ['POST'], context);
      const given = [...new URLSearchParams(query)].filter(([key]) => key !== 'process');
      const job = context.jobs.start(name, parseParameters(captures[name].parameters, given) as never, context.process);
      response.setHeader('location', `${pathPrefix}jobs/${job.id}`);
      send(response, 201, job);
    } else await answerJob(context, id, part, request, response);
  } catch (error) {
    sendError(response, asNodeopsError(error));
  }
  return true;
}

async function answerJob(
  context: JobContext,
  id: string,
  part: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (part) {
    case undefined: {
      allow(request, response, ['GET', 'DELETE'], context);
      const job = context.jobs.find(id, context.process);
      job.asked();
      if (request.method === 'DELETE') job.abandon();
      return send(response, 200, job);
    }
    case 'stop': {
      allow(request, response, ['POST'], context);
      const job = context.jobs.find(id, context.process);
      job.asked();
      job.stop();
      return send(response, 200, job);
    }
    case 'progress': {
      allow(request, response, ['GET'], context);
      return streamProgress(context.jobs.find(id, context.process), response);
    }
    case 'artifact': {
      allow(request, response, ['GET'], context);
      const job = context.jobs.find(id, context.process);
      job.asked();
      return sendArtifact(job, request, response);
    }
    default:
      throw new NodeopsError('no-such-operation', `a job has no '${part.slice(0, 32)}'`, {
        hint: 'it has progress, stop and artifact',
      });
  }
}

function allow(request: IncomingMessage, response: ServerResponse, methods: string[], { readOnly }: JobContext): void {
  const { method = '' } = request;
  if (!methods.includes(method)) {
    response.setHeader('allow', methods.join(', '));
    throw new NodeopsError('bad-request', `this takes ${methods.join(' or ')}, not ${method}`);
  }
  if (readOnly && method !== 'GET')
    throw new NodeopsError('not-permitted', 'captures change the process, and this agent is read-only');
}

function send(response: ServerResponse, status: number, job: Job): void {
  const { container, pid } = job.process;
  const envelope: Envelope<JobInfo> = {
    schema,
    operation: job.capture,
    at: new Date().toISOString(),
    process: { container, pid },
    data: job.info(),
    stuck: null,
    notes: [],
  };
  write(response, status, JSON.stringify(envelope));
}

function sendError(response: ServerResponse, error: NodeopsError): void {
  if (response.headersSent) return void response.destroy();
  write(response, error.httpStatus, JSON.stringify(encodeError(error)));
}

function write(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
