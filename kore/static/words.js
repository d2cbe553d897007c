// The words that scripts put on the pages, in one place for translation.

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

export const words = {
  retry: "Try again",
  retryNow: "Try now",
  signIn: "Sign in again",

  offline: {
    message: "Kore cannot be reached.",
    hint: "Check your connection, then try again. Nothing is done twice.",
  },
  away: {
    message: "Kore does not answer at the moment.",
    hint: "It may be starting. Wait a moment, then try again.",
  },
  signedOut: {
    message: "You are not signed in any more.",
    hint: "Sign in again: you come back to this page, and nothing is lost.",
  },
  odd: {
    message: "Something went wrong.",
    hint: "Load the page again. If it stays, tell the administrator.",
  },
  waiting: (seconds) => `The next try is in ${count(seconds, "second", "seconds")}.`,

  starting: "JupyterLab is starting. This usually takes a few seconds.",
  stopping: "JupyterLab is just being stopped. It starts again in a moment.",
  still: "JupyterLab is still starting. This takes longer than usual.",
  opening: "JupyterLab is running. It opens now.",
  notStarted: {
    message: "JupyterLab did not start.",
    hint: "Try again. If it stays, tell the administrator when it happened.",
  },

  sending: "One moment …",
  begins: "It begins in a moment.",
  progress: (done, total) => (total ? `${done} of ${total}` : words.begins),
  ending: "Stopping …",
  stopAsked: "It stops as soon as what is under way has ended.",

  shown: (shown, all) => (shown === all ? `${all} in all` : `${shown} of ${all} shown`),
};
