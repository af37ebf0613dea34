/* Lets the search work on pages that are opened from disk: browsers refuse to start a Worker from
   a file:// address, so its script runs in a hidden frame of the page instead. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      const scope = frame.contentWindow
      scope.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }))
      this.scope = new Promise((resolve, reject) => {
        const script = frame.contentDocument.createElement("script")
        script.src = new URL(address, document.baseURI)
        script.onload = () => resolve(scope)
        script.onerror = reject
        frame.contentDocument.head.append(script)
      })
    }

    postMessage(data) {
      this.scope.then((scope) => scope.dispatchEvent(new MessageEvent("message", { data })))
    }

    terminate() {}
  }
}
