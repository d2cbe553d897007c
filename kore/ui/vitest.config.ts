import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "happy-dom",
    include: ["test/**/*.test.{ts,tsx}"],
    pool: "threads",
    // Some wait for a retry of the panel's own; a busy machine takes its time.
    testTimeout: 20_000,
  },
});
