// Taking the picture with the device's own camera, into the same field that a file would go into.
// `ask`: see adjust.js; what is taken is looked at, straightened and cut before it counts.
export function camera(take, ask) {
  const [open, box, view, shutter, problem] = ["camera-open", "camera", "camera-view", "camera-take", "camera-problem"].map((id) => document.getElementById(id));
  if (!navigator.mediaDevices?.getUserMedia) return;
  open.hidden = false;
  let stream = null;

  const close = () => {
    stream?.getTracks().forEach((track) => track.stop());
    view.srcObject = stream = null;
    box.hidden = true;
    open.focus();
  };
  const start = async () => {
    problem.hidden = true;
    box.hidden = false;
    shutter.disabled = true;  // until there is a picture: a press that does nothing is worse than none
    try {
      const video = { facingMode: "environment", width: { ideal: 2560 }, height: { ideal: 1920 } };
      stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      view.srcObject = stream;
      await view.play();
      shutter.disabled = false;
      shutter.focus();
    } catch {
      problem.hidden = false;
    }
  };
  open.addEventListener("click", start);
  document.getElementById("camera-close").addEventListener("click", close);
  shutter.addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [view.videoWidth, view.videoHeight];
    canvas.getContext("2d").drawImage(view, 0, 0);
    canvas.toBlob(async (blob) => {
      close();
      const file = await ask(new File([blob], "photo.jpg", { type: "image/jpeg" }), true);
      if (file === "again") return start();
      if (file) take(file);
      open.focus();
    }, "image/jpeg", 0.92);
  });
}
