// Renews the cookie that leads a reload, or a restarted app, to the same session. Other sites never get it.
export default function ({ data }) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.name}=${data.value}; path=/; max-age=${data.seconds}; SameSite=Strict${secure}`;
}
