package accounts

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// accessKey returns the access key of the sessions of the role in the account.
func accessKey(account string) string { return "ASIA" + account + "ROLE" }

func sessionToken(account string) string { return "session-of-" + account }

// accountOf returns the account of an access key. Every key that AssumeRole has not given is
// one of the registry's account.
func accountOf(key string) string {
	if account, isSession := strings.CutPrefix(key, "ASIA"); isSession && len(account) == 16 {
		return account[:12]
	}
	return RegistryAccount
}

// sts answers AssumeRole and GetCallerIdentity.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (s *Server) sts(c call) answer {
	in, _ := url.ParseQuery(string(c.body)) // a form that cannot be read has no action
	const namespace = `xmlns="https://sts.amazonaws.com/doc/2011-06-15/"`
	switch c.operation {
	case "AssumeRole":
		role := in.Get("RoleArn")
		account, session := strings.Split(role+"::::", ":")[4], in.Get("RoleSessionName")
		if role != roleARN(account) || in.Get("ExternalId") != externalID || s.scale.deniesRole(account) || c.account != RegistryAccount {
			return failed(c, http.StatusForbidden, "AccessDenied",
				"User: arn:aws:sts::"+c.account+":assumed-role/cleaner/session is not authorized to perform: sts:AssumeRole on resource: "+role)
		}
		return answer{xml: true, text: fmt.Sprintf(`<AssumeRoleResponse %s><AssumeRoleResult><Credentials><AccessKeyId>%s</AccessKeyId>`+
			`<SecretAccessKey>secret</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>`+
			`<AssumedRoleUser><AssumedRoleId>AROA:%s</AssumedRoleId><Arn>arn:aws:sts::%s:assumed-role/ecr-cleaner-member/%s</Arn></AssumedRoleUser>`+
			`</AssumeRoleResult></AssumeRoleResponse>`, namespace, accessKey(account), sessionToken(account),
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339), session, account, session)}
	case "GetCallerIdentity":
		return answer{xml: true, text: fmt.Sprintf(`<GetCallerIdentityResponse %s><GetCallerIdentityResult><Arn>arn:aws:sts::%s:assumed-role/cleaner/session</Arn>`+
			`<UserId>AROA:session</UserId><Account>%s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, namespace, c.account, c.account)}
	}
	return failed(c, http.StatusBadRequest, "InvalidAction", "")
}
