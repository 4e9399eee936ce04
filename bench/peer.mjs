// Decides simulations (one JSON object a line on standard input) with the peer's library, and prints as JSON how many
// were decided, how many it refused, and the seconds of deciding alone.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const simulations = []
for await (const line of createInterface({ input: process.stdin })) {
  if (line) simulations.push(JSON.parse(line))
}
await runSimulation(simulations[0], {})
const start = process.hrtime.bigint()
let refused = 0
for (const simulation of simulations) {
  const response = await runSimulation(simulation, {})
  if (response.resultType === 'error') refused += 1
}
const seconds = Number(process.hrtime.bigint() - start) / 1e9
console.log(JSON.stringify({ decisions: simulations.length, refused, seconds }))
