// Links to the AWS console, where it is certain which page it is; no link elsewhere, as a wrong one costs more.

const CONSOLES = {
  aws: "console.aws.amazon.com",
  "aws-cn": "console.amazonaws.cn",
  "aws-us-gov": "console.amazonaws-us-gov.com",
};

// The page of a resource, where the console of a partition can't be asked by ARN.
const PAGES = {
  "ec2.instances": [/^instance\/(i-[0-9a-f]+)$/, (host, region, id) => `https://${host}/ec2/home?region=${region}#InstanceDetails:instanceId=${id}`],
  "lambda.functions": [/^function:([\w-]+)$/, (host, region, id) => `https://${host}/lambda/home?region=${region}#/functions/${id}`],
};

/** Return the address of a resource in its partition's console, or null. */
function consoleUrl(arn, type) {
  const parts = /^arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws)?:([^\s\u0000-\u001f]+)$/.exec(arn ?? "");
  if (!parts || arn.length > 2048 || /\p{Surrogate}/u.test(arn) || !Object.hasOwn(CONSOLES, parts[1])) return null;
  const host = CONSOLES[parts[1]];
  // The console's own finder of an ARN; it knows where each service shows its resources.
  if (parts[1] === "aws") return `https://${host}/go/view?arn=${encodeURIComponent(arn)}`;
  if (!Object.hasOwn(PAGES, type)) return null;
  const [pattern, page] = PAGES[type];
  const found = pattern.exec(parts[5]);
  return found && parts[3] ? page(host, parts[3], found[1]) : null;
}

function consoleLink(row, text, properties) {
  const href = consoleUrl(row.arn, row.type);
  return href && make("a", { href, target: "_blank", rel: "noopener noreferrer", ...properties }, text);
}
