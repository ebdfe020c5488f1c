import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.Date;
import java.util.Set;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** Says of each FILE (DER) whether it is believed as `client` or `server` at SECONDS, below ROOT (DER). */
class Trust {
    public static void main(String[] arguments) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = read(factory, arguments[2]);
        var parameters = new PKIXBuilderParameters(Set.of(new TrustAnchor(root, null)), new X509CertSelector());
        parameters.setRevocationEnabled(false);
        parameters.setDate(new Date(Long.parseLong(arguments[1]) * 1000));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(new CertPathTrustManagerParameters(parameters));
        X509TrustManager manager = (X509TrustManager) trust.getTrustManagers()[0];
        for (int at = 3; at < arguments.length; at++) {
            String said = "OK";
            try {
                X509Certificate certificate = read(factory, arguments[at]);
                X509Certificate[] chain = {certificate};
                if (arguments[0].equals("client")) {
                    manager.checkClientTrusted(chain, certificate.getPublicKey().getAlgorithm());
                } else {
                    // What TLS 1.3 asks with.
                    manager.checkServerTrusted(chain, "UNKNOWN");
                }
            } catch (Exception refused) {
                Throwable cause = refused;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                said = "NO " + String.valueOf(cause.getMessage()).replaceAll("\\s+", " ");
            }
            System.out.println(arguments[at] + ": " + said);
        }
    }

    private static X509Certificate read(CertificateFactory factory, String file) throws Exception {
        byte[] der = Files.readAllBytes(Path.of(file));
        return (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der));
    }
}
