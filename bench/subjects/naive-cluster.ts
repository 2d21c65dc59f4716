/** The naive server in as many processes as this server uses: a host and a worker. */

import cluster from 'node:cluster';

if (cluster.isPrimary) for (let count = 0; count < 2; count++) cluster.fork();
else await import('./naive-server.ts');
