# The service: `docker build .`; stand-ins for its providers: `docker build --target sandbox .`

FROM node:20.20.2-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

# No package needs its install script; one that is taken over by somebody else might use one.
FROM packages AS build
RUN npm ci --include=dev --ignore-scripts
COPY tsconfig.json ./
COPY tools ./tools
COPY migrations ./migrations
COPY src ./src
RUN npm run build

FROM packages AS production-packages
RUN npm ci --omit=dev --ignore-scripts

FROM build AS sandbox
COPY test/support/sandbox ./test/support/sandbox
USER node
EXPOSE 12111 12112 12113 12114
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "require('node:net').connect(12111, '127.0.0.1', () => process.exit(0)).on('error', () => process.exit(1))"]
CMD ["node", "--import", "tsx", "test/support/sandbox/main.ts", "--host", "0.0.0.0", "--stripe", "12111", "--sendgrid", "12112", "--twilio", "12113", "--fcm", "12114", "--square", "12115", "--webhooks-to", "http://queue-service:3020/api/v1/queue/provider-webhooks"]

FROM node:20.20.2-bookworm-slim AS service
ENV NODE_ENV=production
WORKDIR /app
COPY --from=production-packages /app/package.json ./
COPY --from=production-packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The files stay root's: the process cannot change its own program.
USER node
EXPOSE 3020
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3020}/api/v1/queue/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1: it handles SIGTERM, and has no children to wait for.
# Jobs live for some tens of milliseconds: a young generation that holds those under way is collected at half the cost.
CMD ["node", "--max-semi-space-size=64", "dist/main.js"]
