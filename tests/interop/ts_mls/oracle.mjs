// Members of MLS groups run by ts-mls, driven over standard input and output.
//
// Each line in is one request, each line out its answer, in the same order:
//   {"id": 1, "member": "m1", "operation": "commit", "parameters": {...}}
//   {"id": 1, "result": ...} or {"id": 1, "error": {"fault", "kind", "reason"}}
// Bytes are hex strings. `fault` is "refused" where the engine said no, "crashed" where it
// broke on its input, "request" where what was asked makes no sense. No request ends the
// process; the end of standard input does.

import { createInterface } from "node:readline"

import { badRequest, faultOf, operations } from "./member.mjs"

const members = new Map()

const answer = async ({ member, operation, parameters }) => {
  const run = operations[operation]
  if (run === undefined) throw badRequest(`no operation ${operation}`)
  return run(members, member, parameters)
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  let outcome
  try {
    outcome = { result: (await answer(request)) ?? null }
  } catch (error) {
    outcome = { error: faultOf(error) }
  }
  process.stdout.write(`${JSON.stringify({ id: request.id, ...outcome })}\n`)
}
