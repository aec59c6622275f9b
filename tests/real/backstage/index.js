// A real Backstage with its catalog alone: a database in memory, entries of one file, static tokens.
const { createBackend } = require('@backstage/backend-defaults');
const backend = createBackend();
backend.add(require('@backstage/plugin-catalog-backend'));
backend.start();
