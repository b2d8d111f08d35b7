package tests.nifi;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.concurrent.TimeUnit;
import org.apache.nifi.authentication.AuthenticationResponse;
import org.apache.nifi.authentication.LoginCredentials;
import org.apache.nifi.authentication.LoginIdentityProvider;
import org.apache.nifi.authentication.LoginIdentityProviderConfigurationContext;
import org.apache.nifi.authentication.LoginIdentityProviderInitializationContext;
import org.apache.nifi.authentication.exception.InvalidLoginCredentialsException;

/** Logs one user in whose name and password stand in NiFi's configuration; for tests, in the place of NiFi's single-user provider. */
public class OneUser implements LoginIdentityProvider {

    private static final long EXPIRES = TimeUnit.HOURS.toMillis(1);

    private String username;
    private String password;

    @Override
    public void initialize(final LoginIdentityProviderInitializationContext context) { }

    @Override
    public void onConfigured(final LoginIdentityProviderConfigurationContext context) {
        username = context.getProperty("Username");
        password = context.getProperty("Password");
    }

    @Override
    public AuthenticationResponse authenticate(final LoginCredentials credentials) {
        if (!same(username, credentials.getUsername()) || !same(password, credentials.getPassword())) {
            throw new InvalidLoginCredentialsException("Wrong username or password");
        }
        return new AuthenticationResponse(username, username, EXPIRES, getClass().getSimpleName());
    }

    @Override
    public void preDestruction() { }

    private static boolean same(final String known, final String given) {
        return given != null && MessageDigest.isEqual(known.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
    }
}
