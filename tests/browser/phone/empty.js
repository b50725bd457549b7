window.isReady = true;
